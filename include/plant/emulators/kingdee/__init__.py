"""金蝶云星空 Kingdee Cloud as the finance system: bills saved, submitted, audited; queries as rows of bare values."""
