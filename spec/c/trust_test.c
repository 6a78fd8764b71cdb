/* Which directory passes for a system's trust store, and which hosts for this machine. */
#include "trust.h"
#include "check.h"

#include <stdlib.h>
#include <unistd.h>

static void put_link(const char *directory, int number)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%08x.0", directory, (unsigned)number);
    FILE *file = fopen(path, "w");
    if (file)
        fclose(file);
}

/* A link or two beside a bundle are somebody's own certificates, not the system's roots. */
static void test_trust(struct check *t)
{
    const char *parent = getenv("TMPDIR");
    char directory[200], path[256];
    snprintf(directory, sizeof directory, "%s/alicloud-trust-XXXXXX", parent ? parent : "/tmp");
    CHECK(t, mkdtemp(directory) != NULL && ac_trust_links(directory) == 0);
    CHECK(t, ac_trust_links("/dev/null/missing") == 0 && ac_trust_links(NULL) == 0);
    put_link(directory, 0);
    CHECK(t, ac_trust_links(directory) == 1);
    snprintf(path, sizeof path, "%s/deadbeef.0", directory);
    CHECK(t, symlink("/dev/null/missing", path) == 0 && ac_trust_links(directory) == 1);
    for (int i = 1; i < (int)AC_TRUST_ENOUGH + 3; i++)
        put_link(directory, i);
    CHECK(t, ac_trust_links(directory) == AC_TRUST_ENOUGH);
    unlink(path);
    for (int i = 0; i < (int)AC_TRUST_ENOUGH + 3; i++) {
        snprintf(path, sizeof path, "%s/%08x.0", directory, (unsigned)i);
        unlink(path);
    }
    CHECK(t, rmdir(directory) == 0);
}

static void test_loopback(struct check *t)
{
    CHECK(t, ac_url_is_loopback(AC_STR("http://127.0.0.1:80/x")));
    CHECK(t, ac_url_is_loopback(AC_STR("http://127.255.1.2")));
    CHECK(t, ac_url_is_loopback(AC_STR("http://[::1]:9/")));
    CHECK(t, ac_url_is_loopback(AC_STR("http://localhost?x")));
    CHECK(t, !ac_url_is_loopback(AC_STR("http://127.0.0.256/")));
    CHECK(t, !ac_url_is_loopback(AC_STR("http://a@127.0.0.1/")));
    CHECK(t, !ac_url_is_loopback(AC_STR("http://128.0.0.1/")));
    CHECK(t, !ac_url_is_loopback(AC_STR("127.0.0.1")));
    CHECK(t, !ac_url_is_loopback(AC_STR("http://127.0.0.1\\@h.example/")));
}

static void test_port(struct check *t)
{
    CHECK(t, ac_url_port(AC_STR("https://h.example")) == 443);
    CHECK(t, ac_url_port(AC_STR("http://h.example/a:7")) == 80);
    CHECK(t, ac_url_port(AC_STR("https://h.example:8443?x")) == 8443);
    CHECK(t, ac_url_port(AC_STR("https://[2001:db8::1]")) == 443);
    CHECK(t, ac_url_port(AC_STR("https://[2001:db8::1]:65535/")) == 65535);
    CHECK(t, ac_url_port(AC_STR("https://12345")) == 443);
    CHECK(t, ac_url_port(AC_STR("h.example")) == 443);
    CHECK(t, ac_url_authority(AC_STR("h.example")).n == 0);
}

int main(void)
{
    struct check tally = {0};
    test_trust(&tally);
    test_loopback(&tally);
    test_port(&tally);
    return check_report(&tally, "C trust");
}
