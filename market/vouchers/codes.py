"""Code lists of voucher schemes, with their words on screen."""

from __future__ import annotations

from market.accounts.rosters.models import KINDS
from market.core.languages import N_

LEVELS = {
    "province": "省",
    "prefecture": "市（州）",
    "county": "县（市、区）",
    "zone": "园区或跨区域",
}
APPLICANTS = {
    "enterprise": N_("企业"),
    "team": N_("创业团队"),
    "founder": N_("创业者"),
    "coop": N_("合作社"),
    "institute": N_("高校院所"),
    "public_body": N_("机关"),
}
SIZES = {"micro": N_("微型"), "small": N_("小型"), "medium": N_("中型"), "large": N_("大型")}
ROSTERS = dict(KINDS)
ROSTER_YEARS = {"same": "当年", "last": "上年", "either": "当年或上年"}
EXHAUSTION = {
    "first_come": "先到先得，用完为止",
    "pro_rata": "预算不足时按比例核减",
    "stop": "预算用完停止受理",
}
RESERVE_AT = {"issue": "发放时", "order": "下单时", "claim": "申请兑付时", "approval": "审定时"}
PAYER_MODELS = {
    "enterprise": "企业付全款后申请兑付",
    "provider": "企业付抵扣后的价款，由服务机构申请兑付",
}
CAP_SCOPES = {"scheme": "只计本办法", "owner": "计同一主管单位的全部办法"}
BAND_MODES = {"marginal": "分段累计", "whole": "按所在档次全额计算"}
STARTS = {"apply": "申领之日", "issue": "发放之日", "order": "下单之日"}
LENGTHS = {"day": "日", "month": "个月", "year": "年"}
DAY_UNITS = {"working": "工作日", "natural": "自然日"}
RHYTHMS = {
    "rolling": "随时",
    "month": "每月",
    "quarter": "每季度",
    "half_year": "每半年",
    "year": "每年",
}
REVIEW_LEVELS = {
    "township": "乡镇（街道）",
    "county": "县（市、区）",
    "prefecture": "市（州）",
    "province": "省",
}
ROUNDING_UNITS = {"fen": "分", "jiao": "角", "yuan": "元", "hundred": "百元"}
UNIT_FEN = {"fen": 1, "jiao": 10, "yuan": 100, "hundred": 10_000}
ROUNDING_MODES = {"down": "舍去尾数", "half_up": "四舍五入"}
PAYERS = {"buyer_region": "企业所在地财政", "provider_region": "服务机构所在地财政"}
EXCLUSIONS = {
    "statutory_test": "法定或强制性检测",
    "subcontract": "转包或分包的服务",
    "already_funded": "已获财政资金支持的项目",
    "own_department": "本单位内部部门提供的服务",
    "investment": "投资类服务",
    "not_main_business": "与主营业务无关的服务",
}
RELATIONS = {
    "same_uscc": "同一法人",
    "legal_person": "法定代表人相同",
    "controller": "实际控制人相同",
    "shareholding": "存在股权关系",
    "co_built": "共建单位",
    "branch": "总公司与分支机构",
    "telephone": "电话相同",
    "address": "地址相同",
    "account": "银行账户相同",
}
EVIDENCE = {
    "claim_form": N_("兑付申请表"),
    "contract": N_("服务合同"),
    "invoice": N_("全额发票"),
    "receipt": N_("自付部分的银行回单"),
    "result": N_("服务结果证明（报告、证书、设计等）"),
    "firm_type": N_("企业类型证明"),
    "licence": N_("营业执照"),
    "provider_qualification": N_("服务机构资质"),
    "promise": N_("承诺书"),
    "provider_confirmation": N_("服务机构在线确认"),
    "approval_form": N_("审批表"),
}
EFFECTS = {
    "no_vouchers_next_year": "次年不得申领",
    "reduced_next_year": "次年核减额度",
    "unknown": "后果待核",
}
