/* The texts that come back, without Lua: UTF-8, JSON and XML, each as its header promises. */
#include "json.h"
#include "utf8.h"
#include "xml.h"
#include "check.h"

#include <stdlib.h>

/* The sequences of the Unicode standard, tables 3-7 and 3-8, and what stands for the others. */
static void test_utf8(struct check *t)
{
    static const char *const texts[][2] = {
        {"", ""},
        {"a\x7f", "a\x7f"},
        {"\xc2\x80\xdf\xbf", "\xc2\x80\xdf\xbf"},
        {"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80", "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80"},
        {"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
        {"\x80", "?"},
        {"\xc0\xaf", "??"},
        {"\xc1\xbf\xff", "???"},
        {"\xe0\x9f\x80", "???"},
        {"\xed\xa0\x80", "???"},
        {"\xf0\x8f\x80\x80", "????"},
        {"\xf4\x90\x80\x80", "????"},
        {"\xf5\x80\xfe", "???"},
        {"a\xe5\xae", "a?"},
        {"\xf0\x9f\x98x\xc3", "?x?"}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct ac_str rest = ac_str_of(texts[i][0]);
        for (const char *p = texts[i][1]; *p; p++) {
            bool valid = false;
            size_t n = ac_utf8_character(rest, &valid);
            CHECK(t, n > 0 && n <= rest.n && valid == (*p != '?'));
            CHECK(t, !valid || n > 1 || rest.p[0] == *p);
            rest = (struct ac_str){rest.p + n, rest.n - n};
            p += valid ? n - 1 : 0;
        }
        CHECK(t, rest.n == 0);
    }
    struct ac_str text = AC_STR("a\xc3\xa9\xf0\x9f\x98\x80");
    static const size_t cuts[] = {0, 1, 1, 3, 3, 3, 3, 7, 7};
    for (size_t max = 0; max < sizeof cuts / sizeof cuts[0]; max++)
        CHECK(t, ac_utf8_cut(text, max) == cuts[max]);
    /* No character is so long; what is none is cut anywhere. */
    CHECK(t, ac_utf8_cut(AC_STR("\x80\x80\x80\x80\x80\x80"), 5) == 2);
    CHECK(t, ac_utf8_cut(AC_STR("\x80\x80"), 1) == 0);
}

static bool clean_is(struct ac_str text, const char *expected)
{
    struct ac_buf out;
    ac_buf_init(&out, 200);
    ac_json_clean(&out, text);
    bool same = ac_str_equal(ac_buf_str(&out), ac_str_of(expected));
    ac_buf_free(&out);
    return same;
}

#define NINES "999999999999999999999999999999999999999999999999999999999999999"

#define DEEP "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["

static void test_json(struct check *t)
{
    static const struct {
        const char *text;
        size_t n;         /* 0: strlen */
        const char *flaw; /* NULL for none */
    } texts[] = {
        {"{\"a\":[1,2.5e3,-0,true,null]}", 0, NULL},
        {" \t\r\n{} \r\n", 0, NULL},
        {"{\"a\":\"\xc3\xa9", 0, "string is not closed"},
        {"\xef\xbb\xbf{}", 0, NULL},
        {"\xef\xbb\xbf", 0, "malformed"},
        {"\xef\xbb{}", 0, "unexpected character"},
        {"", 0, "empty"},
        {"{}x", 0, "unexpected character"},
        {"{}{}", 0, "malformed"},
        {"{}\0", 3, "malformed"},
        {"{\"a\":1", 0, "malformed"},
        {"{\"a\":1,}", 0, "malformed"},
        {"{\"a\"}", 0, "malformed"},
        {"{\"a", 0, "string is not closed"},
        {"{\"a\":}", 0, "malformed"},
        {"[1 2]", 0, "malformed"},
        {"[1;2]", 0, "unexpected character"},
        {"[1}", 0, "malformed"},
        {"[tru]", 0, "unexpected character"},
        {"{\"a\":\"\\u0000\"}", 0, NULL},
        {"{\"a\":\"\\ud800\"}", 0, NULL},
        {"{\"a\":\"\xff\xc3\"}", 0, NULL},
        {"{\"a\":\"\\x\"}", 0, "unknown escape in a string"},
        {"{\"a\":\"\\\0\"}", 9, "unknown escape in a string"},
        {"{\"a\":\"\\u00g0\"}", 0, "\\u needs four hex digits"},
        {"{\"a\":\"b\nc\"}", 0, "raw control character in a string"},
        {"{\"a\":\"b\0c\"}", 11, "raw control character in a string"},
        {"{\"a\":01}", 0, "malformed number"},
        {"{\"a\":-}", 0, "malformed number"},
        {"{\"a\":1.}", 0, "malformed number"},
        {"{\"a\":1e}", 0, "malformed number"},
        {"{\"a\":1e+2,\"b\":1E-2}", 0, NULL},
        {"{\"a\":NaN}", 0, "unexpected character"},
        {"{\"a\":\"\\", 0, "string is not closed"},
        {"{\"a\":\"\\u00", 0, "string is not closed"},
        {"{\"a\":\"\\ud83d\\u", 0, "string is not closed"},
        {NINES, 0, NULL},
        {NINES "9", 0, "number of too many characters"},
        {DEEP "1"
              "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
         0, NULL},
        {DEEP "[", 0, "nested too deeply"},
        {"\"just over the cap of 80 bytes is this text, though there is nothing wrong with "
         "it\"",
         0, "larger than the limit"}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct ac_json_reader reader;
        /* A heap copy, so that a read past the end is seen. */
        size_t n = texts[i].n ? texts[i].n : strlen(texts[i].text);
        char *copy = calloc(1, n + 1);
        memcpy(copy, texts[i].text, n);
        bool good = ac_json_check(&reader, (struct ac_str){copy, n}, 80);
        if (good != !texts[i].flaw || (!good && strcmp(reader.why, texts[i].flaw) != 0))
            fprintf(stderr, "%s: %s\n", texts[i].text, good ? "passed" : reader.why);
        CHECK(t, good == !texts[i].flaw);
        CHECK(t, good || (strcmp(reader.why, texts[i].flaw) == 0 && reader.at <= n));
        free(copy);
    }
    CHECK(t, clean_is(AC_STR("{\"\\n\\\\u0000\":\"\\u0041\xc3\xa9\"}"),
                      "{\"\\n\\\\u0000\":\"\\u0041\xc3\xa9\"}"));
    CHECK(t, clean_is(AC_STR("\"\\ud83d\\ude00\""), "\"\\ud83d\\ude00\""));
    CHECK(t, clean_is(AC_STR("\"\\u0000|\\udc00|\\ud83d\\u0041|\xff|\\uD83D\""),
                      "\"" AC_UTF8_REPLACEMENT "|" AC_UTF8_REPLACEMENT "|" AC_UTF8_REPLACEMENT
                      "\\u0041|" AC_UTF8_REPLACEMENT "|" AC_UTF8_REPLACEMENT "\""));
}

/* What ac_json_unescape() makes of a string, in the room that its token asks for. */
static bool string_is(const char *quoted, const char *expected)
{
    struct ac_json_reader reader;
    ac_json_open(&reader, ac_str_of(quoted), AC_MAX_BODY_BYTES);
    struct ac_json_token token = ac_json_value(&reader);
    char *out = malloc(ac_json_room(&token) + 1);
    size_t n = ac_json_unescape(out, token.raw);
    bool same = token.kind == AC_JSON_STRING && n <= ac_json_room(&token) &&
                ac_str_equal((struct ac_str){out, n}, ac_str_of(expected)) &&
                (token.escaped || ac_str_equal(token.raw, ac_str_of(expected)));
    free(out);
    return same;
}

static void test_strings(struct check *t)
{
    CHECK(t, string_is("\"plain text, longer than eight bytes\"",
                       "plain text, longer than eight bytes"));
    CHECK(t, string_is("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\x7f\"", "\"\\/\b\f\n\r\t\x7f"));
    CHECK(t, string_is("\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"",
                       "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"));
    CHECK(t, string_is("\"seven..\xc3\xa9\xe5\xae\xb9\"", "seven..\xc3\xa9\xe5\xae\xb9"));
    CHECK(t, string_is("\"\xff\"", AC_UTF8_REPLACEMENT));
    CHECK(t, string_is("\"\xff\xfe\xc3\"",
                       AC_UTF8_REPLACEMENT AC_UTF8_REPLACEMENT AC_UTF8_REPLACEMENT));
    CHECK(t, string_is("\"\\ud83d\\ud83d\\ude00\\\\\"", AC_UTF8_REPLACEMENT "\xf0\x9f\x98\x80\\"));
    CHECK(t, string_is("\"\\ud83dx\\ude00\"", AC_UTF8_REPLACEMENT "x" AC_UTF8_REPLACEMENT));
    CHECK(t, string_is("\"\\u0000\"", AC_UTF8_REPLACEMENT));
    CHECK(t, string_is("\"\\ue000\\uffff\"", "\xee\x80\x80\xef\xbf\xbf"));
    CHECK(t, string_is("\"\\ud83d\\nine more\"", AC_UTF8_REPLACEMENT "\nine more"));
}

/* NULL where it is no such document, else its fields, one after the other. */
static const char *xml_fields(const char *text, struct ac_buf *joined)
{
    struct ac_xml_field fields[] = {{.name = AC_STR("Code")}, {.name = AC_STR("Message")}};
    struct ac_buf out;
    size_t n = strlen(text);
    char *copy = calloc(1, n + 1);
    memcpy(copy, text, n);
    ac_buf_init(&out, n ? n : 1);
    ac_buf_reset(joined);
    bool good = ac_xml_read((struct ac_str){copy, n}, fields, 2, &out);
    for (size_t i = 0; i < 2; i++) {
        if (fields[i].value.p)
            ac_buf_add_str(joined, fields[i].value);
        ac_buf_add_text(joined, i == 0 ? "|" : "");
    }
    ac_buf_free(&out);
    free(copy);
    return good ? joined->p : NULL;
}

static void test_xml(struct check *t)
{
    static const char *const good[][2] = {
        {"<Error></Error>", "|"},
        {"\xef\xbb\xbf<?xml version=\"1.0\" encoding='UTF-8'?>\r\n<Error>\n <Code>C</Code >\t"
         "<Message>m</Message></Error >\n",
         "C|m"},
        {"<Error><Code/><Message >a b</Message></Error>", "|a b"},
        {"<Error><Code>C</Code><X>1</X><X>2</X></Error>", "C|"},
        {"<Error><Code>&lt;&gt;&amp;&quot;&apos;</"
         "Code><Message>&#65;&#xe9;&#x20AC;&#128512;&#9;&#10;&#13;\n"
         "</Message></Error>",
         "<>&\"'|A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\t\n\r\n"},
        {"<Error><Code>&amp;lt;</Code><Message>a > b</Message></Error>", "&lt;|a > b"}};
    static const char *const bad[] = {
        "",
        " ",
        "<",
        "<Error",
        "<Error>",
        "<Error><Code>C</Code>",
        "<Error><Code>C</Error>",
        "<Error><Code>C</Code></Error>x",
        "<Error></Error><Error></Error>",
        "x<Error></Error>",
        "<error></error>",
        "<Errors></Errors>",
        "<Error a=\"1\"></Error>",
        "<Error><Code>A</Code><Code>A</Code></Error>",
        "<Error><Code/><Code>A</Code></Error>",
        "<Error/>",
        "<Error><Code><Code>A</Code></Code></Error>",
        "<Error><Detail><Code>x</Code></Detail><Code>C</Code></Error>",
        "<Error><Code>A<b/></Code></Error>",
        "<Error>text<Code>A</Code></Error>",
        "<Error><X>a<b/></X></Error>",
        "<Error><!-- <Code>A</Code> --></Error>",
        "<Error><Code><![CDATA[A]]></Code></Error>",
        "<!DOCTYPE x><Error></Error>",
        "<?xml version=\"1.0\"><Error></Error>",
        "<?xml version=\"1.0\"",
        "<?pi?><Error></Error>",
        "<Error><></></Error>",
        "<Error><Code>&</Code></Error>",
        "<Error><Code>&nbsp;</Code></Error>",
        "<Error><Code>&lt</Code></Error>",
        "<Error><Code>&lt;",
        "<Error><Code>&#;</Code></Error>",
        "<Error><Code>&#x;</Code></Error>",
        "<Error><Code>&#0;</Code></Error>",
        "<Error><Code>&#27;</Code></Error>",
        "<Error><Code>&#xd800;</Code></Error>",
        "<Error><Code>&#xffff;</Code></Error>",
        "<Error><Code>&#x110000;</Code></Error>",
        "<Error><Code>&#000000065;</Code></Error>",
        "<Error><Code>&#-1;</Code></Error>",
        "<Error><Code>&#xg;</Code></Error>",
        "<Error><Code>&",
        "<Error><Code>\x1b[2J</Code></Error>",
        "<Error></Error",
        "<Error></",
        "<Error><Code>A</ Code></Error>"};
    struct ac_buf joined;
    ac_buf_init(&joined, 1000);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        const char *fields = xml_fields(good[i][0], &joined);
        CHECK(t, fields && strcmp(fields, good[i][1]) == 0);
        /* No beginning of a document is one. */
        char *cut = strdup(good[i][0]);
        for (size_t n = strlen(cut); n > 0 && cut[n - 1] != '>'; n--)
            cut[n - 1] = '\0';
        for (size_t n = strlen(cut); n > 0; n--) {
            cut[n - 1] = '\0';
            CHECK(t, xml_fields(cut, &joined) == NULL);
        }
        free(cut);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (xml_fields(bad[i], &joined))
            fprintf(stderr, "taken: %s\n", bad[i]);
        CHECK(t, xml_fields(bad[i], &joined) == NULL);
    }
    ac_buf_free(&joined);

    /* Memory that may not be had is no answer. */
    struct ac_xml_field field = {.name = AC_STR("Code")};
    ac_buf_init(&joined, 3);
    CHECK(t, !ac_xml_read(AC_STR("<Error></Error>"), &field, 1, &joined));
    ac_buf_free(&joined);
}

int main(void)
{
    struct check tally = {0};
    test_utf8(&tally);
    test_json(&tally);
    test_strings(&tally);
    test_xml(&tally);
    return check_report(&tally, "C texts");
}
