"""Roundup with our own schema, a real OA: requests with an approver, REST with ETags, one-shot addresses."""
