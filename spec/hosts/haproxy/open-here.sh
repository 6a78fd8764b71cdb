#!/bin/sh
# Whether the group DR_GROUP is open on the site in ALIBABA_CLOUD_REGION_ID: exit 0 says yes.
# HAProxy gives its checks no environment of its own; SITE_ENV names a file that sets it.
. "${SITE_ENV:-$(dirname "$0")/site.env}"
state=$(alicloud-dr status "$DR_GROUP" --json) || exit 1
case $state in
  *'"status":"failovered"'*) exit 0 ;;
  *) exit 1 ;;
esac
