"""A kin of ours for another cloud: kin.py URL COUNT prints the CPU microseconds of a
signed query-protocol call (EC2's DescribeVolumes, SigV4), as ours.lua and floor.c do."""

import resource
import sys

from botocore.config import Config
from botocore.session import Session

WARM = 50


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(url, count):
    client = Session().create_client(
        "ec2", region_name="eu-west-1", endpoint_url=url, aws_access_key_id="emulator",
        aws_secret_access_key="emulator-secret",
        config=Config(retries={"total_max_attempts": 1}, proxies={}))
    for i in range(WARM + count):
        if i == WARM:
            start = cpu_seconds()
        if client.describe_volumes()["Volumes"]:
            raise ValueError("the server answered something else")
    print("%.2f" % ((cpu_seconds() - start) / count * 1e6))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
