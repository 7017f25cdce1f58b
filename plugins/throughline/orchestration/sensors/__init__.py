"""Tasks that wait without occupying a worker, for anybody's DAG: a document's status, an approval, a low stock."""
