"""What people are told about their submissions and listings."""

from __future__ import annotations

from market.core.languages import N_
from market.core.messages import MessageKind

TO_SIGN = MessageKind(
    "submission.to_sign",
    N_("有内容待本单位签发"),
    N_("待签发：%(title)s"),
    N_("%(by)s 送来「%(title)s」（%(no)s），请签发或退回修改。"),
)
TO_REVIEW = MessageKind(
    "submission.to_review",
    N_("有内容待审核"),
    N_("待审核：%(title)s"),
    N_("%(owner)s 提交了「%(title)s」（%(no)s），办理时限 %(due)s。"),
)
RETURNED = MessageKind(
    "submission.returned",
    N_("提交的内容被退回修改"),
    N_("退回修改：%(title)s"),
    N_("「%(title)s」（%(no)s）被退回修改：%(reason)s"),
    sms=True,
)
PUBLISHED = MessageKind(
    "submission.published",
    N_("提交的内容已发布"),
    N_("已发布：%(title)s"),
    N_("「%(title)s」（%(no)s）已发布。"),
)
KEPT_DOWN = MessageKind(
    "submission.kept_down",
    N_("修改已通过，内容仍在下架"),
    N_("修改已通过，仍未公开：%(title)s"),
    N_(
        "「%(title)s」（%(no)s）的修改已通过，但这条信息仍在下架，没有公开。打开链接，可以请求恢复公开。"
    ),
)
ASKED_BACK = MessageKind(
    "listing.asked_back",
    N_("发布单位请求恢复公开"),
    N_("请求恢复公开：%(title)s"),
    N_("%(owner)s请求恢复公开「%(title)s」（%(no)s）：%(reason)s"),
)
TAKEN_DOWN = MessageKind(
    "listing.taken_down",
    N_("发布的内容被下架"),
    N_("已下架：%(title)s"),
    N_("「%(title)s」（%(no)s）已由科技管理部门下架：%(reason)s"),
    sms=True,
    must=True,
)
EXPIRING = MessageKind(
    "listing.expiring",
    N_("发布的内容快到有效期"),
    N_("%(day)s 到期：%(title)s"),
    N_("「%(title)s」（%(no)s）的有效期到 %(day)s。打开链接，点一下「确认仍有效」即可延长一年。"),
    sms=True,
    secret=True,
)
EXPIRED = MessageKind(
    "listing.expired",
    N_("发布的内容已到期"),
    N_("已到期：%(title)s"),
    N_("「%(title)s」（%(no)s）的有效期已到 %(day)s。仍有效的，打开链接点一下「确认仍有效」。"),
    sms=True,
    secret=True,
)
KINDS = (
    TO_SIGN,
    TO_REVIEW,
    RETURNED,
    PUBLISHED,
    KEPT_DOWN,
    ASKED_BACK,
    TAKEN_DOWN,
    EXPIRING,
    EXPIRED,
)
