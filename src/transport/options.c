#include "options.h"

#include <stdlib.h>

static void keep(struct ac_buf *text, struct ac_str *s)
{
    size_t start = text->n;
    if (s->n == 0) {
        *s = (struct ac_str){0};
        return;
    }
    ac_buf_add_str(text, *s);
    ac_buf_add_char(text, '\0');
    *s = (struct ac_str){text->p + start, s->n};
}

/* The texts of the options proper; the pins have theirs beside them. */
static size_t texts_of(struct ac_transport_options *options, struct ac_str *texts[6])
{
    struct ac_str *const all[] = {&options->ca_file,    &options->ca_path, &options->client_cert,
                                  &options->client_key, &options->proxy,   &options->no_proxy};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        texts[i] = all[i];
    return sizeof all / sizeof all[0];
}

bool ac_settings_keep(struct ac_settings *settings, const struct ac_transport_options *options)
{
    struct ac_str *texts[6];
    size_t bytes = 0;
    *settings = (struct ac_settings){.options = *options};
    size_t n = texts_of(&settings->options, texts);
    for (size_t i = 0; i < n; i++)
        bytes += texts[i]->n + 1;
    for (size_t i = 0; i < options->pin_count; i++)
        bytes += options->pins[i].host.n + options->pins[i].addresses.n + 2;

    /* One allocation, so that no text moves while another is added. */
    ac_buf_init(&settings->text, bytes);
    settings->pins = calloc(options->pin_count + 1, sizeof *settings->pins);
    if (!settings->pins || !ac_buf_room(&settings->text, bytes))
        return false;
    for (size_t i = 0; i < n; i++)
        keep(&settings->text, texts[i]);
    for (size_t i = 0; i < options->pin_count; i++) {
        settings->pins[i] = options->pins[i];
        keep(&settings->text, &settings->pins[i].host);
        keep(&settings->text, &settings->pins[i].addresses);
    }
    settings->options.pins = settings->pins;
    settings->trust =
        (struct ac_transport_trust){settings->options.ca_file.p, settings->options.ca_path.p};
    if (!settings->trust.ca_file && !settings->trust.ca_path)
        settings->trust = ac_transport_trust();
    return true;
}

void ac_settings_free(struct ac_settings *settings)
{
    ac_buf_free(&settings->text);
    free(settings->pins);
    settings->pins = NULL;
}
