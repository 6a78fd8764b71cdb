/* Counting checks for the C programs of the specs: one line for each failure, one at the end. */
#ifndef SPEC_CHECK_H
#define SPEC_CHECK_H

#include <stdio.h>

struct check {
    unsigned passed;
    unsigned failed;
};

#define CHECK(tally, condition) check_record((tally), (condition), __FILE__, __LINE__, #condition)

static inline void check_record(struct check *tally, int ok, const char *file, int line,
                                const char *text)
{
    if (ok) {
        tally->passed++;
        return;
    }
    tally->failed++;
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, text);
}

/* The exit code of the program. */
static inline int check_report(const struct check *tally, const char *name)
{
    printf("%s: %u passed, %u failed\n", name, tally->passed, tally->failed);
    return tally->failed > 0 || tally->passed == 0;
}

#endif
