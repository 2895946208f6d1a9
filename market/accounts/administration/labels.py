"""Acts and objects of the audit in words; what rooms' workflows call them comes from their tables."""

from __future__ import annotations

from collections.abc import Mapping

from market.core.workflow import UNDO, Workflow

# Acts that move no case. A test looks that none is missing.
ACTIONS = {
    "admission.edited": "机构与服务点：修改",
    "admission.renewed": "机构与服务点：延长有效期",
    "admission.staff_added": "机构与服务点：添加工作人员",
    "admission.staff_removed": "机构与服务点：移除工作人员",
    "announcement.saved": "公告：保存",
    "audit.exported": "导出操作记录",
    "bulk.given_up": "批量操作中止",
    "bulk.started": "开始批量操作",
    "bulk.undone": "撤销批量操作",
    "bulletin.save": "简报：保存草稿",
    "bulletin.subscribe": "简报：订阅",
    "bulletin.unsubscribe": "简报：停止订阅",
    "call.demo_dated": "揭榜：演示日期",
    "call.edit": "揭榜：修改",
    "demo.cases_loaded": "载入演示办件",
    "demo.notice_dated_back": "公示：演示日期",
    "grant.ended": "收回授权",
    "grant.given": "授权",
    "file.attached": "上传文件",
    "file.removed": "删除文件",
    "file.taken_away": "撤下附件",
    "import.done": "导入完成",
    "import.undone": "撤销导入",
    "industries.edited": "编辑主导产业",
    "inquiry.assign": "咨询：指定负责人",
    "inquiry.contact_read": "咨询：查看联系方式",
    "inquiry.contacts_forgotten": "咨询：到期删除联系方式",
    "inquiry.note": "咨询：部门留言",
    "inquiry.remind": "咨询：提醒答复",
    "intake.callers_forgotten": "来电：到期删除联系方式",
    "intake.code": "来电：发认领码",
    "intake.erase": "来电：删除联系方式",
    "intake.unmask": "来电：查看联系方式",
    "intent.classify": "对接意向：选合同类别",
    "intent.note": "对接意向：部门留言",
    "intent.outcome": "对接意向：填写结果",
    "intent.remind": "对接意向：提醒",
    "intent.show": "对接意向：允许或不允许查看条款",
    "intent.swap": "对接意向：对调买卖双方",
    "intent.yes": "对接意向：同意一版方案",
    "listing.publish": "信息：公开新版本",
    "listing.reported": "信息：收到错误报告",
    "listing.revised": "信息：写入新版本",
    "listing.withdrawn": "信息：撤回",
    "member.invitation_withdrawn": "收回邀请",
    "member.invited": "邀请成员",
    "message.choose": "更改消息设置",
    "notice.saved": "公示：保存",
    "notice.settled": "公示：按公布的放假安排改最后一日",
    "objection.contact_read": "异议：查看联系方式",
    "objection.contacts_forgotten": "异议：到期删除联系方式",
    "organisation.claimed": "单位：由来电人认领",
    "organisation.coded": "单位：补填信用代码",
    "organisation.declared": "单位：填报登记信息",
    "organisation.founded": "单位：登记",
    "organisation.marked_as_demo": "单位：标为演示",
    "organisation.merged": "单位：并入另一家",
    "organisation.recoded": "单位：换信用代码",
    "organisation.renamed": "单位：改名称",
    "organisation.signing": "单位：设本单位签发",
    "organisation.supervised": "单位：设隶属单位",
    "organisation.took_over": "单位：接收并入的单位",
    "organisation.unmasked": "单位：查看登记信息",
    "organisation.updated": "单位：修改公开信息",
    "organisation.verified": "单位：标为已核验",
    "person.active": "人员：恢复账号",
    "person.changed": "人员：修改资料",
    "person.closed": "人员：注销账号",
    "person.contact_changed": "人员：换登录手机或邮箱",
    "person.created": "人员：建立账号",
    "person.password_changed": "人员：更改密码",
    "person.password_reset": "人员：重设密码",
    "person.recovery_codes": "人员：换恢复码",
    "person.registered": "人员：注册",
    "person.second_factor": "人员：完成两步验证",
    "person.second_factor_failed": "人员：两步验证失败",
    "person.second_factor_off": "人员：关闭两步验证",
    "person.second_factor_on": "人员：开启两步验证",
    "person.second_factor_reset": "人员：重置两步验证",
    "person.sign_in_failed": "人员：登录失败",
    "person.signed_in": "人员：登录",
    "person.signed_out": "人员：退出",
    "person.suspended": "人员：停用账号",
    "person.unmasked": "人员：查看完整信息",
    "pins.edited": "编辑本县推荐",
    "regions.loaded": "载入区划",
    "reply_template.deleted": "删除答复模板",
    "reply_template.saved": "保存答复模板",
    "report.contact_read": "错误报告：查看联系方式",
    "report.senders_forgotten": "错误报告：到期删除联系方式",
    "restore": "从备份恢复",
    "review_target.edited": "编辑审核目标",
    "saved.change": "订阅搜索：修改",
    "saved.delete": "订阅搜索：删除",
    "saved.keep": "订阅搜索：保存",
    "saved.pause": "订阅搜索：暂停",
    "saved.resume": "订阅搜索：恢复",
    "specialist.consented": "技术经理人与专家：同意公开",
    "specialist.contact_read": "技术经理人与专家：查看联系方式",
    "specialist.edited": "技术经理人与专家：修改",
    "specialist.linked": "技术经理人与专家：关联账号",
    "specialist.recorded": "技术经理人与专家：录入",
    "specialist.removed": "技术经理人与专家：移除",
    "specialist.withdrawn": "技术经理人与专家：撤回公开同意",
    "submission.rebase": "发布：与公开的版本核对",
    "submission.save": "发布：保存草稿",
    "synonyms.edited": "编辑同义词",
    "synonyms.ended": "停用同义词",
    "terms.loaded": "载入代码表",
    "token.created": "新建接口令牌",
    "token.revoked": "撤销接口令牌",
    "work.handed_over": "移交办件",
    "work_item.assign": "办件：分配",
    f"work_item.assign_{UNDO}": "办件：撤销分配",
    "work_item.rebuilt": "办件：修复",
    "work_item.remind": "办件：提醒单位",
    f"work_item.remind_{UNDO}": "办件：撤销提醒",
}
KINDS = {
    "api_token": "接口令牌",
    "audit": "操作记录",
    "bulk_action": "批量操作",
    "grant": "授权",
    "import": "导入",
    "instance": "站点",
    "organisation": "单位",
    "organisation_licence": "营业执照",
    "person": "人员",
    "problem_report": "错误报告",
    "reference_data": "基础数据",
    "region": "地区",
    "reply_template": "答复模板",
    "term": "代码表",
}
_ALWAYS = {"begin": "开始", UNDO: "撤销上一步"}


def action_label(action: str, workflows: Mapping[str, Workflow]) -> str:
    """What an act is called; its raw word when nobody named it."""
    if action in ACTIONS:
        return ACTIONS[action]
    name, _dot, step = action.partition(".")
    workflow = workflows.get(name)
    if workflow is None:
        return action
    steps = {one.action: str(one.label) for one in workflow.transitions}
    words = steps.get(step) or _ALWAYS.get(step)
    return f"{workflow.label}：{words}" if words else action


def kind_label(kind: str, workflows: Mapping[str, Workflow]) -> str:
    """What a kind of object is called; its raw word when nobody named it."""
    workflow = workflows.get(kind)
    return KINDS.get(kind) or (str(workflow.label) if workflow else kind)
