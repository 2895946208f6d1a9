"""Public notices (公示) with their clock and objections, and announcements (公告)."""
