"""Contract texts to start from, by class: our own words, in the order of Civil Code art. 845.

Each clause is a heading and its paragraphs; `{name}` is filled from the contract's fields, or left
as a line to write on. 甲方 is the buyer's side, 乙方 the seller's.
"""

from __future__ import annotations

from collections.abc import Sequence

Clause = tuple[str, Sequence[str]]

_SUBJECT: Clause = (
    "标的的内容、范围和要求",
    ("{subject}", "技术指标、数量和交付物以附件列明；附件是本合同的组成部分。"),
)
_WORDS: Clause = (
    "名词和术语的解释",
    ("双方对下列用语的理解一致：{terms}",),
)
_SECRECY: Clause = (
    "技术信息和资料的保密",
    (
        "双方对因本合同知悉的对方未公开的技术信息和经营信息保密，只用于履行本合同。",
        "保密范围：{secrecy}。保密期限：自知悉之日起＿＿年，不因本合同终止而结束；已经公开或依法应当提供的除外。",
    ),
)
_PRICE: Clause = (
    "价款、报酬及其支付",
    (
        "合同成交额为人民币 {total}，其中技术交易额 {technical}，设备、材料等非技术性费用 {other}。",
        "支付方式：{payment}。{royalty}",
        "{plan}",
        "乙方收款账户：户名＿＿＿＿，开户行＿＿＿＿，账号＿＿＿＿。约定提成的，甲方应当允许乙方查阅有关账目。",
    ),
)
_ACCEPTANCE: Clause = (
    "验收标准和验收方式",
    (
        "{acceptance}",
        "乙方交付后，甲方在＿＿日内验收并出具书面意见；逾期不提出异议的，双方约定的后果为＿＿＿＿。",
    ),
)
_OWNERSHIP: Clause = (
    "成果的归属和收益分配",
    (
        "履行本合同产生的技术成果{ownership}。没有约定清楚的，依照民法典的规定。",
        "后续改进的成果归完成改进的一方；一方不得限制另一方改进，也不得要求无偿回授。",
    ),
)
_BREACH: Clause = (
    "违约责任",
    (
        "一方不履行或不按约定履行的，应当继续履行、采取补救措施或赔偿损失；违约金的数额或计算方法为＿＿＿＿。",
        "因不可抗力不能履行的，按影响的程度部分或全部免责，并应及时通知对方。",
    ),
)
_DISPUTE: Clause = (
    "争议的解决",
    (
        "{dispute}",
        "双方先协商；协商不成的，按下列第＿＿种方式解决：（一）向＿＿＿＿仲裁委员会申请仲裁；（二）向有管辖权的人民法院起诉。",
    ),
)
_LAST: Clause = (
    "其他",
    (
        "本合同自双方签字并盖章之日起生效，有效期 {valid}。变更、解除须书面约定；已经登记的，到原登记机构办理变更或注销登记。",
        "本合同一式＿＿份，双方各执＿＿份，卖方办理技术合同认定登记用＿＿份。",
    ),
)


def _performance(*paragraphs: str) -> Clause:
    return ("履行的计划、地点和方式", paragraphs)


CLAUSES: dict[str, Sequence[Clause]] = {
    "development": (
        _SUBJECT,
        _performance(
            "履行期限 {valid}，履行地点＿＿＿＿。乙方按附件的研究开发计划分阶段提交成果。",
            "甲方提供的资料、样品和条件：＿＿＿＿，于＿＿＿＿前提供。",
            "研究开发经费由甲方按约定支付；购置的设备、器材在履行后归＿＿＿＿。",
        ),
        (
            "风险责任",
            (
                "在现有技术水平下难以克服的困难使开发失败或部分失败的，损失由＿＿＿＿承担。",
                "一方发现可能失败的情形，应及时通知对方并采取措施；没有及时通知、措施不当使损失扩大的，对扩大的部分负责。",
            ),
        ),
        _SECRECY,
        _OWNERSHIP,
        _ACCEPTANCE,
        _PRICE,
        _WORDS,
        _BREACH,
        _DISPUTE,
        _LAST,
    ),
    "assignment": (
        _SUBJECT,
        (
            "转让的权利",
            (
                "{rights}",
                "乙方保证是上述权利的合法持有人，权利有效，没有质押或尚在履行、未告知甲方的许可；并保证所提供的技术完整、无误、有效，能够达到约定的目标。",
                "专利权、专利申请权的转让，由＿＿方办理登记，费用由＿＿方承担；转让自登记之日起生效。",
            ),
        ),
        _performance(
            "乙方于＿＿＿＿前交付附件所列的技术资料，并在＿＿＿＿提供必要的技术指导。",
            "转让以前已经许可他人实施的，按附件列明，由＿＿＿＿继受。",
        ),
        _SECRECY,
        _OWNERSHIP,
        _ACCEPTANCE,
        _PRICE,
        _WORDS,
        _BREACH,
        _DISPUTE,
        _LAST,
    ),
    "licence": (
        _SUBJECT,
        (
            "许可的权利、方式和范围",
            (
                "{rights}",
                "许可方式：{licence_kind}。许可的地域＿＿＿＿，期限 {valid}，实施的范围（制造、使用、销售、进口等）＿＿＿＿。",
                "专利实施许可只在该专利权有效期内有效。乙方在许可期内维持权利有效，保证自己是合法的许可人。",
                "甲方可否再许可他人实施：＿＿＿＿。",
            ),
        ),
        _performance("乙方于＿＿＿＿前交付实施技术所需的资料，并在＿＿＿＿提供必要的技术指导。"),
        _SECRECY,
        _OWNERSHIP,
        _ACCEPTANCE,
        _PRICE,
        _WORDS,
        _BREACH,
        _DISPUTE,
        _LAST,
    ),
    "consulting": (
        _SUBJECT,
        _performance(
            "甲方于＿＿＿＿前阐明咨询的问题，提供背景材料、技术资料和数据。",
            "乙方于＿＿＿＿前完成咨询报告或解答问题，报告的形式和份数＿＿＿＿。",
            "甲方按照符合约定要求的咨询报告作出决策所造成的损失，由甲方承担，双方另有约定的除外。",
        ),
        _SECRECY,
        _OWNERSHIP,
        _ACCEPTANCE,
        _PRICE,
        _WORDS,
        _BREACH,
        _DISPUTE,
        _LAST,
    ),
    "service": (
        _SUBJECT,
        _performance(
            "乙方于＿＿＿＿前在＿＿＿＿完成服务，解决约定的技术问题，保证工作质量，并传授解决技术问题的知识。",
            "甲方于＿＿＿＿前提供工作条件，完成配合事项：＿＿＿＿。",
            "乙方发现甲方提供的资料、样品或条件不符合约定的，应及时通知甲方更换或补充。",
        ),
        _SECRECY,
        _OWNERSHIP,
        _ACCEPTANCE,
        _PRICE,
        _WORDS,
        _BREACH,
        _DISPUTE,
        _LAST,
    ),
}
