"""How a SQL Server source is read: the fence first, then the rows below it; values bound through `sp_executesql`."""
