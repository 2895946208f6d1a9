"""The only errors a service raises; `core.error_pages` turns them into pages and problem+json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from market.core.languages import N_


class MarketError(Exception):
    """Base of the errors that are meant for people. `message` is a sentence in Chinese."""

    status = 500
    title = N_("出错了")

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.title)
        self.message = message or self.title


class NotFound(MarketError):
    """There is no such thing, or this reader may not know of it."""

    status = 404
    title = N_("没有找到这一页")


class Gone(MarketError):
    """It was public once and is not any more."""

    status = 410
    title = N_("这条信息已不再公开")


class Denied(MarketError):
    """The actor may not do this."""

    status = 403
    title = N_("您没有这项权限")


class SignInNeeded(Denied):
    """A visitor asked for what people have who are signed in."""

    status = 401
    title = N_("请先登录")


class Conflict(MarketError):
    """Somebody else changed it meanwhile, or its state does not allow the act."""

    status = 409
    title = N_("内容已被他人更新")


class Invalid(MarketError):
    """The input has mistakes: `fields` maps a field's name to its messages."""

    status = 422
    title = N_("有几处需要改正")

    def __init__(self, fields: Mapping[str, Sequence[str]], message: str = "") -> None:
        super().__init__(message)
        self.fields = {name: list(messages) for name, messages in fields.items()}


class TooMany(MarketError):
    """More of this than one may send in a while; later it works again."""

    status = 429
    title = N_("操作太频繁，请稍后再试")
    retry_after = 3600  # seconds


class Busy(MarketError):
    """The instance is being upgraded or the write lock was not to be had; try again shortly."""

    status = 503
    title = N_("系统正忙，请稍后再试")
    retry_after = 10  # seconds
