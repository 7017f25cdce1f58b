"""DingTalk's group robot (钉钉自定义机器人): a signed address for one group; it tells, and cannot be asked."""
