"""Where people are told things: DingTalk, WeCom and Feishu robots and a short-message gateway, with real checks."""
