/* Stage 6 of a call: JSON text to Lua values and back.
 *
 * Objects become tables with the names that the API gave; `null` members are absent, in arrays
 * `null` is a sentinel. Arrays carry a shared metatable so that `[]` survives a round trip.
 * Integers are exact to 64 bits, larger ones become decimal strings.
 */
#ifndef AC_VALUE_H
#define AC_VALUE_H

#include "json.h"
#include "luax.h"

/* [-0, +0, m]  Makes the sentinel and the metatable; once per state, before anything else. */
void ac_value_open(lua_State *L);

/* [-0, +1, m]  Pushes the null sentinel. */
void ac_value_push_null(lua_State *L);

/* [-0, +1, m]  Pushes the shared metatable of arrays. */
void ac_value_push_array_metatable(lua_State *L);

/* [-0, +0, m]  Whether it is a table with that metatable. */
bool ac_value_is_array(lua_State *L, int index);

/* [-0, +0, m]  Whether JSON can hold the value at `index`, which is absolute, so that nothing
 * foreign runs when it is read: no objects, not too deep, not too much. In value_check.c. */
bool ac_value_is_json(lua_State *L, int index);

/* [-0, +1, e]  Pushes a copy of the value at `index` that JSON carries as it is, and returns true;
 * nil and false where there is anything odd about it, also a name that the table at `secrets` does
 * not know. It says of a name whether its value is a secret, for which the value at `hidden` then
 * stands. The indices are absolute. In value_copy.c. */
bool ac_value_push_plain(lua_State *L, int index, int secrets, int hidden);

/* [-0, +1, e]  Pushes the value of a text, or nil with reader->why and reader->at set where it is
 * not JSON or cannot be represented faithfully (duplicate keys, numbers out of range). Needs a
 * reader that ac_json_open() has opened. `secrets` is the index of a set of names: members of these
 * names that are strings, or integers that may be kept as their digits, become Secrets, without
 * ever being Lua strings, and an error is raised for one that can be no key; 0 for none. */
bool ac_value_push(lua_State *L, struct ac_json_reader *reader, bool keep_null, int secrets);

/* [-0, +1, m]  What is wrong with the text of a reader that failed, and where; quotes nothing. */
void ac_value_push_fault(lua_State *L, const struct ac_json_reader *reader);

/* [-0, +1, m]  The bytes as a Lua string, as text: U+FFFD stands for what is no UTF-8. */
void acL_push_text(lua_State *L, struct ac_str bytes);

/* [-0, +0, v]  Appends the value at `index`; raises on what JSON cannot carry. Object names are
 * sorted, so that the same value always gives the same text, which is always UTF-8: U+FFFD stands
 * for what is none. Two names that become the same by that are an error. In value_encode.c. */
void ac_value_encode(lua_State *L, int index, struct ac_buf *out);

#endif
