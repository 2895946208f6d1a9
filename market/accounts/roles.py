"""The roles of the market, as data. Which permissions each has, rooms declare (`policy.declare`).

Source: the least set of roles of the field, with three administrators apart at platform level
(GB/T 22239-2019: none of them may hold two or touch business data).
"""

from __future__ import annotations

from dataclasses import dataclass

from market.core.languages import N_


@dataclass(frozen=True)
class Role:
    """A role.

    Args:
        code: as in grants and declarations.
        label: on screen.
        scope: what a grant of it names: "organisation", "region" or "platform".
        level: for region roles, the level of the region: "county", "prefecture", "province".
        second_factor: whether its holders must sign in with a second factor.
        alone: whether a person who holds it may hold no other role.
    """

    code: str
    label: str
    scope: str
    level: str = ""
    second_factor: bool = False
    alone: bool = False


_ALL = (
    Role("owner", N_("单位管理员"), "organisation"),
    Role("editor", N_("编辑"), "organisation"),
    Role("certifier", N_("签发人"), "organisation"),
    Role("viewer", N_("只读成员"), "organisation"),
    Role("broker", N_("技术经理人"), "organisation"),
    Role("point_staff", N_("服务点工作人员"), "organisation"),
    Role("first_examiner", N_("登记初审员"), "organisation", second_factor=True),
    Role("second_examiner", N_("登记复审员"), "organisation", second_factor=True),
    Role("county", N_("县（市、区）科技管理部门经办"), "region", "county", True),
    Role("prefecture", N_("市（州）科技管理部门经办"), "region", "prefecture", True),
    Role("province", N_("省级科技管理部门经办"), "region", "province", True),
    Role("finance", N_("财政部门经办"), "region", "", True),
    Role("expert", N_("专家"), "platform"),
    Role("system_admin", N_("系统管理员"), "platform", "", True, True),
    Role("security_admin", N_("安全管理员"), "platform", "", True, True),
    Role("audit_admin", N_("审计管理员"), "platform", "", True, True),
)
ROLES: dict[str, Role] = {role.code: role for role in _ALL}
OFFICES = ("county", "prefecture", "province")
MEMBERS = ("owner", "editor", "certifier", "viewer")
EDITORS = ("owner", "editor")
ADMINISTRATORS = ("system_admin", "security_admin", "audit_admin")
