"""What the public page says about registering a technology contract, class by class.

Tests of recognition and papers: Civil Code ch. 20; 国科发政字〔2001〕253号; practice of bodies.
"""

from __future__ import annotations

from dataclasses import dataclass

from market.core.languages import N_


@dataclass(frozen=True)
class ClassGuide:
    """A class: what counts as it, what is not, what to bring beside the contract."""

    code: str
    counts: str
    not_it: str
    papers: tuple[str, ...]


CLASSES = (
    ClassGuide(
        "development",
        N_("有明确的研发目标，签订时双方都还没有掌握解决办法，要做出有创新的新技术、新产品、新工艺。"),
        N_("不含只改包装、尺寸的常规改动，也不含单纯的检测和复制。"),
        (N_("技术目标和验收指标"), N_("成果归谁、怎样分享")),
    ),
    ClassGuide(
        "assignment",
        N_("签订时已经掌握、完整可用的技术，把专利权、专利申请权、技术秘密、软件或品种权转给对方。"),
        N_("公开的、谁都能用的技术不算转让，按技术服务登记。"),
        (N_("知识产权证书"), N_("专利权转让：国家知识产权局的登记手续证明"), N_("高校院所协议定价：价格公示记录")),
    ),
    ClassGuide(
        "licence",
        N_("权利不转走，只许对方使用：独占、排他、普通或开放许可。"),
        N_("专利实施许可的期限不能超过专利有效期。"),
        (N_("知识产权证书"), N_("许可的方式、地域、期限"), N_("高校院所协议定价：价格公示记录")),
    ),
    ClassGuide(
        "consulting",
        N_("就一个具体项目做可行性论证、技术预测、专题调查、分析评价，交付的是报告。"),
        N_("一般信息查询、法律和财务咨询不算。"),
        (N_("咨询的问题和报告要求"),),
    ),
    ClassGuide(
        "service",
        N_("用技术知识解决一个具体问题，有质量或数量指标；技术培训、技术中介分别登记。"),
        N_("单纯卖设备、加工、施工、例行检测和职业培训不算。"),
        (N_("要解决的问题和指标"), N_("设备、材料费单列，不计入技术交易额")),
    ),
)  # fmt: skip
# For every class.
PAPERS = (
    N_("合同文本和附件：双方盖章后的扫描件就可以，电子合同也可以"),
    N_("由课题组、内设部门签的：法人授权书"),
    N_("外文合同：中文译本和内容一致的承诺"),
    N_("有境外一方：技术进出口登记证或许可证"),
)
STEPS = (
    N_("卖方（研究开发人、让与人、许可人、受托人）在所在地的登记机构申请，一份合同只登记一次；从境外买技术的由买方申请。"),
    N_("合同生效后、有效期内申请。谈成的对接意向可以直接填写，大部分内容不用再写。"),
    N_("先做登记前自查，附上合同扫描件，再提交；缺材料的，登记机构一次告知，补齐后重新提交。"),
    N_("登记机构认定是不是技术合同、属于哪一类、技术交易额是多少，准予登记或不予登记，都说明理由。"),
    N_("登记自愿；不登记的，享受不到与技术合同有关的税收和奖励政策。"),
)  # fmt: skip
