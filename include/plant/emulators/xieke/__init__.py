"""携客云 as the SRM: orders published to suppliers, their answers, and one call for each address in half a minute."""
