"""Fxiaoke (纷享销客), a CRM: a token for two hours, POST JSON, HTTP 200 whatever happened."""
