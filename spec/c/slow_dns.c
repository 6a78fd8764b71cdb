/* Loaded before the C library: a resolver that takes its time, as one does on a bad day. */
#define _GNU_SOURCE
#include <netdb.h>
#include <unistd.h>

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **result)
{
    (void)name;
    (void)service;
    (void)hints;
    (void)result;
    sleep(20);
    return EAI_AGAIN;
}
