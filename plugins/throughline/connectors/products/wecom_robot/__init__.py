"""WeCom's group robot (企业微信群机器人): a key in the address is all it asks for; twenty messages a minute."""
