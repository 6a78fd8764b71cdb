/* floor MODE URL COUNT [WIDTH]: prints CPU microseconds per call; where WIDTH counts, seconds too.
 *   call   one after the other over a kept-alive connection      page   the same, a large answer
 *   once   the same, cold                                        fan    WIDTH at once, cold
 *   flight WIDTH at a time on one thread                         sign   signatures only
 *   storm  COUNT sequences of one change and three readings, WIDTH at a time
 */
#include "floor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first `warm` of them do not count. */
static bool one_after_the_other(const char *base, const char *action, long count, long warm)
{
    struct floor_call call;
    bool ok = floor_open(&call);
    double start = floor_cpu_seconds();
    for (long i = 0; ok && i < count + warm; i++) {
        if (i == warm)
            start = floor_cpu_seconds();
        floor_prepare(&call, base, action, "RegionId=cn-shanghai");
        ok = floor_finish(&call, curl_easy_perform(call.easy));
    }
    printf("%.2f\n", (floor_cpu_seconds() - start) / (double)count * 1e6);
    floor_close(&call);
    return ok;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: floor MODE URL COUNT [WIDTH]\n");
        return 2;
    }
    const char *mode = argv[1], *base = argv[2];
    long count = strtol(argv[3], NULL, 10);
    int width = argc > 4 ? atoi(argv[4]) : 1;
    bool ok = false;
    floor_init();
    if (strcmp(mode, "call") == 0)
        ok = one_after_the_other(base, "DescribeRegions", count, 50);
    else if (strcmp(mode, "page") == 0)
        ok = one_after_the_other(base, "DescribeDiskReplicaGroups", count, 50);
    else if (strcmp(mode, "once") == 0)
        ok = one_after_the_other(base, "DescribeRegions", count, 0);
    else if (strcmp(mode, "flight") == 0)
        ok = floor_flight(base, count, width);
    else if (strcmp(mode, "storm") == 0)
        ok = floor_storm(base, count, width);
    else if (strcmp(mode, "fan") == 0)
        ok = floor_fan(base, width);
    else if (strcmp(mode, "sign") == 0)
        ok = floor_signatures(count);
    return ok ? 0 : 1;
}
