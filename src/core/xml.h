/* The error documents of gateways that answer in XML, whatever was asked for.
 *
 * A small part of XML 1.0, since the answer is to prove something: a declaration and one element,
 * whose children hold text. No attributes, comments, CDATA, deeper elements, and nothing behind it:
 * what else XML knows makes the text unusable, never something other than it is.
 */
#ifndef AC_XML_H
#define AC_XML_H

#include "buf.h"

struct ac_xml_field {
    struct ac_str name;
    struct ac_str value; /* {NULL, 0} without such a child */
};

/* Whether the text, which a NUL follows, is one complete element of the name Error, with each
 * field at most once among its children. The values have their references resolved and point into
 * `out`, which is emptied and must bear as many bytes as the text has. */
bool ac_xml_read(struct ac_str text, struct ac_xml_field *fields, size_t n, struct ac_buf *out);

#endif
