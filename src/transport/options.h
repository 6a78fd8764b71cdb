/* What a transport keeps of its options: copies of every text, and the trust that follows. */
#ifndef AC_OPTIONS_H
#define AC_OPTIONS_H

#include "transport.h"

struct ac_settings {
    struct ac_transport_options options; /* every text is followed by a NUL, or NULL */
    struct ac_transport_trust trust;
    struct ac_buf text; /* the bytes behind all of them */
    struct ac_pin *pins;
};

/* False when out of memory; ac_settings_free() is due in either case. */
bool ac_settings_keep(struct ac_settings *settings, const struct ac_transport_options *options);
void ac_settings_free(struct ac_settings *settings);

#endif
