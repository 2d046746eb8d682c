"""`/v1/batches`: batches are read from requests, fed into the queue, and their results are sent."""
