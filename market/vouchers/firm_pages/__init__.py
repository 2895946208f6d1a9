"""The pages and the API of vouchers for firms and providers."""
