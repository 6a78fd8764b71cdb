/* Reads error documents of gateways that respond in XML, whatever format was asked for.
 *
 * The document is used as proof, so only a small part of XML 1.0 is accepted: a declaration and one
 * element whose children contain text. Attributes, comments, CDATA, deeper elements and anything
 * after the element make the document unusable; nothing is misread.
 */
#ifndef AC_XML_H
#define AC_XML_H

#include "buf.h"

struct ac_xml_field {
    struct ac_str name;
    struct ac_str value; /* {NULL, 0} if there is no such child */
};

/* Whether the text, which must be followed by a NUL, is one complete element `Error` with each
 * field at most once among its children. The values are decoded and point into `out`, which is
 * emptied first and must have room for as many bytes as the text. */
bool ac_xml_read(struct ac_str text, struct ac_xml_field *fields, size_t n, struct ac_buf *out);

#endif
