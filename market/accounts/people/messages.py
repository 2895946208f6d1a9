"""The messages about accounts: codes, and word of what changed in one's own account."""

from __future__ import annotations

from market.core.languages import N_
from market.core.messages import MessageKind

CODE = MessageKind(
    "person.code",
    N_("验证码"),
    N_("您的验证码"),
    N_("验证码 %(code)s，10 分钟内有效。如果不是您本人在操作，请不要理会，也不要告诉任何人。"),
    sms=True,
    must=True,
    secret=True,
)
KNOWN = MessageKind(
    "person.known",
    N_("已有账号的提醒"),
    N_("您已有账号"),
    N_(
        "有人用这个号码或邮箱注册账号，或想改用它登录，但它已经有账号了。如果是您本人，请直接登录；忘了密码，请在登录页面"
        "点「忘记密码」。如果不是您，请不要理会。"
    ),
    sms=True,
    must=True,
)
PASSWORD_CHANGED = MessageKind(
    "person.password",
    N_("密码已更改"),
    N_("您的密码已更改"),
    N_(
        "您的账号在 %(at)s 更改了密码，其他设备已退出登录。如果不是您本人，请马上用「忘记密码」重设。"
    ),
    sms=True,
    must=True,
)
CONTACT_CHANGED = MessageKind(
    "person.contact",
    N_("登录手机或邮箱已更改"),
    N_("您的登录手机或邮箱已更改"),
    N_(
        "您的账号在 %(at)s 改用别的手机或邮箱登录，这个号码或邮箱不再用于登录。如果不是您本人，请马上联系"
        "网站管理员。"
    ),
    sms=True,
    must=True,
)
SECOND_FACTOR_RESET = MessageKind(
    "person.second_factor",
    N_("两步验证已重置"),
    N_("您的两步验证已重置"),
    N_(
        "安全管理员在 %(at)s 重置了您账号的两步验证，所有设备已退出登录，原来的验证器和恢复码不再有效。"
        "请登录后在「账号」里重新设置。如果不是您要求的，请马上联系网站管理员。"
    ),
    sms=True,
    must=True,
)
KINDS = (CODE, KNOWN, PASSWORD_CHANGED, CONTACT_CHANGED, SECOND_FACTOR_RESET)
