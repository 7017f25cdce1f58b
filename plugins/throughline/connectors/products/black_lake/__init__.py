"""Black Lake (黑湖), an MES: a token in the address, `code` 200 means yes, lists that shift while they are read."""
