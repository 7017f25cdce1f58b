"""泛微 Weaver e-cology 9 as an OA: forms with fields of their own, approvals, RSA at the door."""
