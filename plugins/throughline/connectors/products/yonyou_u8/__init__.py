"""Yonyou U8 (用友 U8): its SQL Server tables are read; whatever is written goes through its own interfaces."""
