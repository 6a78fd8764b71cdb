/* What libFuzzer does, without coverage: fuzz [-runs=N] [-seed=N] [-artifact_prefix=PATH]
 * FILE|DIRECTORY... runs every file, then N inputs that are made of them, the same each time. The
 * input at work lies in PATH"input", also after a crash.
 */
#include "ac.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FILES 256
#define ROOM 4096

static struct {
    char bytes[FILES][ROOM];
    size_t sizes[FILES];
    unsigned count;
    uint64_t random;
    int kept; /* the file of the input at work */
} run;

/* xorshift64: the run must not depend on the C library. */
static size_t below(size_t limit)
{
    run.random ^= run.random << 13;
    run.random ^= run.random >> 7;
    run.random ^= run.random << 17;
    return limit ? (size_t)(run.random % limit) : 0;
}

/* Every file is tried, whole: what cannot be read, or has no room, ends the run. */
static void take_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file || run.count == FILES) {
        fprintf(stderr, "%s: %s\n", path, file ? "one file too many" : "cannot be opened");
        exit(2);
    }
    run.sizes[run.count] = fread(run.bytes[run.count], 1, ROOM, file);
    if (getc(file) != EOF) {
        fprintf(stderr, "%s: larger than %d bytes\n", path, ROOM);
        exit(2);
    }
    run.count++;
    fclose(file);
}

static void take(const char *path)
{
    struct dirent **names;
    int n = scandir(path, &names, NULL, alphasort);
    if (n < 0)
        take_file(path);
    for (int i = 0; i < n; free(names[i++])) {
        char inner[ROOM];
        snprintf(inner, sizeof inner, "%s/%s", path, names[i]->d_name);
        if (names[i]->d_name[0] != '.')
            take_file(inner);
    }
    if (n >= 0)
        free(names);
}

static void try(const char *bytes, size_t n)
{
    if (pwrite(run.kept, bytes, n, 0) != (ssize_t)n || ftruncate(run.kept, (off_t)n) != 0)
        abort();
    LLVMFuzzerTestOneInput((const uint8_t *)bytes, n);
}

/* One edit: a cut, a byte, a byte less, a byte more, or a piece of another file. */
static size_t edit(char *bytes, size_t n)
{
    static const char spice[] = "{}[]\",:\\u0e-.tfn<>/&;%=# \n\r\t\0\x1b\x7f\xc3\xff";
    size_t at = below(n + 1), from = below(run.count), piece = 1;
    const char *source = spice + below(sizeof spice - 1);
    switch (below(5)) {
    case 0:
        return at;
    case 1:
        if (at < n)
            bytes[at] = *source;
        return n;
    case 2:
        piece = below(n - at < 8 ? n - at + 1 : 8);
        memmove(bytes + at, bytes + at + piece, n - at - piece);
        return n - piece;
    case 3:
        break;
    default:
        source = run.bytes[from] + below(run.sizes[from]);
        piece = below((size_t)(run.bytes[from] + run.sizes[from] - source) + 1);
    }
    if (n + piece > ROOM)
        return n;
    memmove(bytes + at + piece, bytes + at, n - at);
    memcpy(bytes + at, source, piece);
    return n + piece;
}

int main(int argc, char **argv)
{
    unsigned long runs = 0;
    char kept[ROOM] = "input";
    run.random = 20240719;
    for (int i = 1; i < argc; i++)
        if (sscanf(argv[i], "-runs=%lu", &runs) != 1 &&
            sscanf(argv[i], "-seed=%" SCNu64, &run.random) != 1 &&
            sscanf(argv[i], "-artifact_prefix=%4000s", kept) != 1 && argv[i][0] != '-')
            take(argv[i]);
    if (strcmp(kept, "input") != 0)
        strcat(kept, "input");
    run.kept = open(kept, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (run.count == 0 || run.kept < 0)
        return 2;
    LLVMFuzzerInitialize(&argc, &argv);
    for (unsigned i = 0; i < run.count; i++)
        try(run.bytes[i], run.sizes[i]);
    for (unsigned long i = 0; i < runs; i++) {
        char bytes[ROOM];
        unsigned which = (unsigned)below(run.count);
        size_t n = run.sizes[which];
        memcpy(bytes, run.bytes[which], n);
        for (size_t edits = 1 + below(4); edits > 0; edits--)
            n = edit(bytes, n);
        try(bytes, n);
    }
    unlink(kept);
    return 0;
}
