"""致远 Seeyon A8, an OA: forms by their display names, flows that are finished without being approved."""
