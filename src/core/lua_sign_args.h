/* What Lua gives to be signed: read raw from tables, borrowed until it is signed. */
#ifndef AC_LUA_GIVEN_H
#define AC_LUA_GIVEN_H

#include "codec.h"
#include "luax.h"
#include "sign.h"

#define ACL_METHOD_MAX 15

/* The bytes stay those of Lua's strings: from the first look to the end of the signing nothing
 * allocates in Lua, so no metamethod and no finalizer can change a table or close a secret
 * meanwhile. */
struct acL_given {
    struct ac_request request;
    struct ac_credentials credentials;
    enum ac_sign_algorithm algorithm;
    char method[ACL_METHOD_MAX + 1];
    struct ac_pair *pairs; /* of headers, query and form, one after the other */
    char (*digits)[AC_CODEC_FLOAT_BYTES];
    size_t room; /* of both */
    size_t used; /* may be more than room, and then nothing else is valid */
};

/* Pairs that have their room on the stack; most requests have fewer. */
#define ACL_GIVEN_FEW 24

/* [-0, +2, v]  Room for all that was used, where it was too little. True if it has to be read
 * again, because allocating may run finalizers. */
bool acL_given_grow(lua_State *L, struct acL_given *given);

/* [-0, +0, v]  Reads the options of core.sign from the table at 1. */
void acL_given_read(lua_State *L, struct acL_given *given);

/* [-0, +0, v]  Reads a flat map of names to values from the table at `index`, behind what is read
 * already. */
void acL_given_map(lua_State *L, struct acL_given *given, int index, const char *field,
                   struct ac_pairs *pairs);

/* [-0, +0, v]  Writes the unix seconds at `index` as YYYY-MM-DDTHH:MM:SSZ; fractions are cut. */
void acL_given_date(lua_State *L, int index, char text[21]);

/* [-0, +0, v]  Raises unless the fields can go on a wire. */
void acL_given_check_fields(lua_State *L, const struct acL_given *given);

/* [-0, +0, v]  Raises unless body and credentials are what the algorithm takes, and hold nothing
 * that would begin another header. */
void acL_given_check_parts(lua_State *L, const struct acL_given *given);

#endif
