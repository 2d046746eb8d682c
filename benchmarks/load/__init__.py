"""The whole of convscope under load: throughput and percentiles against the load that is offered."""
