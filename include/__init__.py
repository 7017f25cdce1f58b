"""What a plant edits: data. The one exception is `plant`, the plant in a box, which is a set of programs."""
