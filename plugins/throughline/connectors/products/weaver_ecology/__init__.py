"""泛微 Weaver e-cology 9, an OA: its requests are approved by people, and its forms belong to each workflow."""
