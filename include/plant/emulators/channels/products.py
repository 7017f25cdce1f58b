"""Which channels there are, by product."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from include.plant.emulators.calls import Facade
from include.plant.emulators.channels.dingtalk import DingtalkRobot
from include.plant.emulators.channels.feishu import FeishuRobot
from include.plant.emulators.channels.sms import SmsGateway
from include.plant.emulators.channels.wecom import WecomRobot
from include.plant.emulators.document_store import DocumentStore
from include.plant.emulators.settings import Settings

CHANNELS: Mapping[str, Callable[[Settings, DocumentStore], Facade]] = {
    "dingtalk_robot": DingtalkRobot,
    "wecom_robot": WecomRobot,
    "feishu_robot": FeishuRobot,
    "sms_gateway": SmsGateway,
}
