"""携客云 as an SRM: purchase orders published to suppliers, their confirmations, requirements for replenishment."""
