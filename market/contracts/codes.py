"""The code lists of technology contracts, with where each comes from.

Classes: Civil Code arts. 843, 851, 862, 863, 878, 887. The lists of fields, aims, plans and kinds
of intellectual property are those of the national statistics of technology contracts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from market.core.languages import N_

CLASSES = {
    "development": N_("技术开发"),
    "assignment": N_("技术转让"),
    "licence": N_("技术许可"),
    "consulting": N_("技术咨询"),
    "service": N_("技术服务"),
}
# The second level: code → (class, label).
SUBCLASSES: Mapping[str, tuple[str, str]] = {
    "commissioned": ("development", N_("委托开发")),
    "joint": ("development", N_("合作开发")),
    "conversion": ("development", N_("转化开发")),
    "patent_assignment": ("assignment", N_("专利权转让")),
    "application_assignment": ("assignment", N_("专利申请权转让")),
    "secret_assignment": ("assignment", N_("技术秘密转让")),
    "software_assignment": ("assignment", N_("计算机软件著作权转让")),
    "layout_assignment": ("assignment", N_("集成电路布图设计专有权转让")),
    "variety_assignment": ("assignment", N_("植物新品种权转让")),
    "biomedical_assignment": ("assignment", N_("生物医药新品种权转让")),
    "equity": ("assignment", N_("技术入股")),
    "patent_licence": ("licence", N_("专利实施许可")),
    "secret_licence": ("licence", N_("技术秘密使用许可")),
    "software_licence": ("licence", N_("计算机软件著作权许可")),
    "layout_licence": ("licence", N_("集成电路布图设计专有权许可")),
    "variety_licence": ("licence", N_("植物新品种权许可")),
    "biomedical_licence": ("licence", N_("生物医药新品种权许可")),
    "consulting": ("consulting", N_("技术咨询")),
    "service": ("service", N_("一般技术服务")),
    "training": ("service", N_("技术培训")),
    "brokerage": ("service", N_("技术中介")),
}
# How a right is licensed (Patent Law arts. 50–52 for the open one; judicial interpretation 25).
LICENCE_KINDS = {
    "exclusive": N_("独占许可"),
    "sole": N_("排他许可"),
    "ordinary": N_("普通许可"),
    "open": N_("开放许可"),
}


@dataclass(frozen=True)
class PartyNames:
    """What the two sides are called in a class of contracts."""

    seller: str
    buyer: str


_PARTY_NAMES = {
    "commissioned": PartyNames(N_("研究开发人"), N_("委托人")),
    "conversion": PartyNames(N_("研究开发人"), N_("委托人")),
    "joint": PartyNames(N_("合作方（牵头）"), N_("合作方")),
    "assignment": PartyNames(N_("让与人"), N_("受让人")),
    "licence": PartyNames(N_("许可人"), N_("被许可人")),
    "consulting": PartyNames(N_("受托人"), N_("委托人")),
    "service": PartyNames(N_("受托人"), N_("委托人")),
    "training": PartyNames(N_("培训方"), N_("委托人")),
    "brokerage": PartyNames(N_("中介人"), N_("委托人")),
}
_PLAIN_NAMES = PartyNames(N_("卖方"), N_("买方"))


def party_names(contract_class: str, subclass: str = "") -> PartyNames:
    """What seller and buyer are called in this class (Civil Code arts. 851–887)."""
    return _PARTY_NAMES.get(subclass) or _PARTY_NAMES.get(contract_class, _PLAIN_NAMES)


def subclasses_of(contract_class: str) -> dict[str, str]:
    """Labels of the second level of a class, by code."""
    return {code: label for code, (above, label) in SUBCLASSES.items() if above == contract_class}


def subclass_options() -> list[tuple[str, str]]:
    """The second level with the class each belongs to, for one drop-down list."""
    return [(code, f"{CLASSES[above]}：{label}") for code, (above, label) in SUBCLASSES.items()]


PATENTS = ("invention", "utility_model", "design")
IP_KINDS = {
    "secret": N_("技术秘密"),
    "invention": N_("发明专利"),
    "utility_model": N_("实用新型专利"),
    "design": N_("外观设计专利"),
    "software": N_("计算机软件著作权"),
    "layout": N_("集成电路布图设计"),
    "variety": N_("植物新品种"),
    "biomedical": N_("生物医药新品种"),
    "none": N_("未涉及知识产权"),
}
PLANS = {
    "national": N_("国家计划"),
    "ministry": N_("部门计划"),
    "province": N_("省、自治区、直辖市及计划单列市计划"),
    "prefecture": N_("地市县计划"),
    "none": N_("计划外"),
}
FIELDS = {
    "electronics": N_("电子信息"),
    "aerospace": N_("航空航天"),
    "manufacturing": N_("先进制造"),
    "biomedicine": N_("生物、医药和医疗器械"),
    "materials": N_("新材料及其应用"),
    "energy": N_("新能源与高效节能"),
    "environment": N_("环境保护与资源综合利用"),
    "nuclear": N_("核应用技术"),
    "agriculture": N_("农业技术"),
    "transport": N_("现代交通"),
    "urban": N_("城市建设与社会发展"),
}
# GB/T 24450-2009, the thirteen classes of the top level.
AIMS = {
    "environment": N_("环境保护、生态建设及污染防治"),
    "energy": N_("能源生产、分配和合理利用"),
    "health": N_("卫生事业发展"),
    "education": N_("教育事业发展"),
    "infrastructure": N_("基础设施以及城市和农村规划"),
    "society": N_("社会发展和社会服务"),
    "earth": N_("地球和大气层的探索与利用"),
    "space": N_("民用空间探测及开发"),
    "agriculture": N_("农林牧渔业发展"),
    "industry": N_("工商业发展"),
    "general": N_("非定向研究"),
    "other": N_("其他民用目标"),
    "defence": N_("国防"),
}
# Kinds of parties by which seller and buyer are counted; the codes are those of the national form.
NATURES = {
    "010": N_("机关法人"),
    "020": N_("事业法人"),
    "021": N_("科研机构"),
    "022": N_("高等院校"),
    "023": N_("医疗、卫生机构"),
    "024": N_("其他事业法人"),
    "030": N_("社团法人"),
    "110": N_("国有企业"),
    "120": N_("集体企业"),
    "130": N_("股份合作企业"),
    "140": N_("联营企业"),
    "150": N_("有限责任公司"),
    "160": N_("股份有限公司"),
    "170": N_("私营企业"),
    "180": N_("其他内资企业"),
    "200": N_("港澳台商投资企业"),
    "300": N_("外商投资企业"),
    "400": N_("个体经营"),
    "500": N_("自然人"),
    "600": N_("其他组织"),
    "700": N_("境外机构"),
}
# How the price is paid (Civil Code art. 846).
PAYMENTS = {
    "once": N_("一次总算、一次总付"),
    "instalments": N_("一次总算、分期支付"),
    "royalty": N_("提成支付"),
    "entry_royalty": N_("提成支付附加入门费"),
}
ROYALTIES = ("royalty", "entry_royalty")
ROYALTY_BASES = {
    "sales": N_("产品销售额"),
    "price": N_("产品价格"),
    "output": N_("新增产值"),
    "profit": N_("利润"),
}
OWNERSHIP = {
    "buyer": N_("归买方"),
    "seller": N_("归卖方"),
    "shared": N_("双方共有"),
    "law": N_("依照法律规定"),
    "none": N_("不产生新的成果"),
}
# Why a contract is not registered. The four kinds of clause under "monopoly" are those of
# 国科发政字〔2001〕253号 art. 18 and the judicial interpretation on technology contracts.
REFUSALS = {
    "void": N_("合同无效或尚未生效"),
    "not_technology": N_("不属于技术合同"),
    "unclear": N_("当事人、标的或价款不明确"),
    "approval": N_("缺少法律规定的批准文件"),
    "name": N_("合同名称与权利义务不符，且未改正"),
    "monopoly": N_("含有非法垄断技术、妨碍技术进步的条款"),
    "evidence": N_("证明材料缺少或不合规定"),
    "seal": N_("印章不全，或与书写的名称不符"),
    "other": N_("其他"),
}
MONOPOLY_CLAUSES = {
    "improvement": N_("限制受让方改进技术"),
    "grant_back": N_("要求无偿或独占地回授改进"),
    "competing": N_("限制取得竞争性技术"),
    "use": N_("不合理地限制实施或使用"),
}
# What is asked for when papers go back once with everything that is missing (一次性告知).
DEFICIENCIES = {
    "seal": N_("印章与书写的名称不符，或印章不全"),
    "text": N_("合同文本缺页或不清楚"),
    "annex": N_("缺少附件"),
    "price": N_("价款、报酬或支付方式不明确"),
    "technical_value": N_("技术交易额没有写明，或缺少计算依据"),
    "term": N_("合同期限不明确"),
    "right": N_("缺少知识产权证明"),
    "authorisation": N_("缺少法人授权书"),
    "translation": N_("外文合同缺少中文副本和一致承诺"),
    "approval": N_("缺少批准文件"),
    "class": N_("合同类别与内容不符"),
    "other": N_("其他"),
}
CANCELLATIONS = {
    "dissolved": N_("双方解除合同"),
    "void": N_("合同被确认无效或被撤销"),
    "other": N_("其他"),
}
# Why an office annuls a registration on its own; the first three are the grounds of Shanghai 2025.
ANNULMENTS = {
    "fraud": N_("虚假合同，或以欺骗、贿赂、侵权等手段取得登记"),
    "not_cancelled": N_("合同已在别处撤销或解除，当事人没有办理注销"),
    "duplicate": N_("重复登记"),
    "other": N_("其他"),
}
# What an attached file is for. The last is the written word by which a firm lets a service point help.
PURPOSES = {
    "contract": "合同文本（含附件）",
    "ip_certificate": "知识产权证书",
    "authorisation": "法人授权书",
    "approval": "批准文件",
    "translation": "中文译本和一致承诺",
    "patent_transfer": "专利权转让登记手续证明",
    "trade_permit": "技术进出口登记证或许可证",
    "price_notice": "价格公示记录",
    "other": "其他",
    "point": "委托服务点的授权书",
}
# What a file of a contract is, those among them that only offices attach.
FILE_PURPOSES = {**PURPOSES, "certificate": "登记证明扫描件"}
