"""Feishu's group robot (飞书自定义机器人): a signed body to an address of its own."""
