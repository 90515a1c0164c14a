"""How gunicorn runs the service (gunicorn's own settings file)."""

import os

bind = os.environ.get("ORDERS_BIND", "0.0.0.0:8000")
# A second worker goes on where one is killed; threads, because a request mostly waits for the ledger.
workers = 2
worker_class = "gthread"
threads = 8
# Its heartbeat file: in memory, and the one place that can be written (gunicorn's FAQ, "blocking os.fchmod").
worker_tmp_dir = "/dev/shm"
accesslog = "-"
access_log_format = '%(h)s "%(r)s" %(s)s for %({x-forwarded-for}i)s'
