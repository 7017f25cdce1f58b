"""致远 Seeyon A8 as an OA: forms by their display names, bare numbers as answers, JSON inside JSON, short tokens."""
