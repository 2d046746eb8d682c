"""Store jobs, images, artifacts and models in Redis. Only this package knows the names and lifetimes of Redis's keys."""
