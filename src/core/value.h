/* Stage 6 of a call: JSON text to Lua values and back.
 *
 * Objects become tables with the API's names. `null` members are absent; in arrays `null` is a
 * sentinel. Arrays have a shared metatable, so that `[]` survives a round trip. Integers are exact
 * up to 64 bits; larger ones become decimal strings.
 */
#ifndef AC_VALUE_H
#define AC_VALUE_H

#include "json.h"
#include "luax.h"

/* [-0, +0, m]  Makes the sentinel and the metatable; call it once per state, before the others. */
void ac_value_open(lua_State *L);

/* [-0, +1, m]  Pushes the null sentinel. */
void ac_value_push_null(lua_State *L);

/* [-0, +1, m]  Pushes the shared metatable of arrays. */
void ac_value_push_array_metatable(lua_State *L);

/* [-0, +0, m]  Whether the value is a table with that metatable. */
bool ac_value_is_array(lua_State *L, int index);

/* [-0, +0, m]  Whether the value at `index` (absolute) can be JSON: no objects, not too deep, not
 * too large. Runs no metamethod. In value_check.c. */
bool ac_value_is_json(lua_State *L, int index);

/* [-0, +1, e]  Pushes a copy of the value at `index` and returns true, if JSON keeps the value
 * unchanged; else pushes nil and returns false. The table at `secrets` says for each name whether
 * its value is a secret, which is replaced by the value at `hidden`; false if it lacks a name. The
 * indices are absolute. In value_copy.c. */
bool ac_value_push_plain(lua_State *L, int index, int secrets, int hidden);

/* [-0, +1, e]  Pushes the value of the text of a reader that ac_json_open() has opened. Pushes nil
 * and sets reader->why and reader->at if the text is not JSON or has no faithful Lua value
 * (duplicate keys, numbers out of range). `secrets` is the index of a set of names, or 0: their
 * strings, and integers long enough to be kept as digits, become Secrets and never Lua strings;
 * raises for one that cannot be a key. */
bool ac_value_push(lua_State *L, struct ac_json_reader *reader, bool keep_null, int secrets);

/* [-0, +1, m]  Pushes what is wrong with the text of a reader, and where, without quoting it. */
void ac_value_push_fault(lua_State *L, const struct ac_json_reader *reader);

/* [-0, +1, m]  Pushes the bytes as a Lua string; invalid UTF-8 becomes U+FFFD. */
void acL_push_text(lua_State *L, struct ac_str bytes);

/* [-0, +0, v]  Appends the value at `index` as JSON; raises if JSON cannot hold it. Names are
 * sorted, so that equal values give equal texts. The text is UTF-8: invalid bytes become U+FFFD.
 * Raises, too, if that makes two names equal. In value_encode.c. */
void ac_value_encode(lua_State *L, int index, struct ac_buf *out);

#endif
