#include "utf8.h"

size_t ac_utf8_character(struct ac_str text, bool *valid)
{
    unsigned char first = (unsigned char)text.p[0];
    size_t n = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    /* Narrower bounds for the second byte: no overlong form, no surrogate, none over U+10FFFF. */
    unsigned char least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned char most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    size_t i = 1;
    if (first > 0xf4)
        n = 0;
    for (; i < n && i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c < least || c > most)
            break;
        least = 0x80;
        most = 0xbf;
    }
    *valid = i == n;
    return i;
}

size_t ac_utf8_put(char *out, unsigned long code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)((0xf00 >> n & 0xff) | code);
    return n;
}

size_t ac_utf8_cut(struct ac_str text, size_t max)
{
    if (text.n <= max)
        return text.n;
    for (int i = 0; i < 3 && max > 0 && ((unsigned char)text.p[max] & 0xc0) == 0x80; i++)
        max--;
    return max;
}
