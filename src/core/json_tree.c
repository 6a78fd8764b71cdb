/* Where a tree is wanted: cJSON, over a text that the reader has passed. */
#include "json.h"

enum ac_status ac_json_parse(struct ac_json *json, struct ac_str text)
{
    json->root = cJSON_ParseWithLength(text.p, text.n);
    return json->root ? AC_OK : AC_NOMEM;
}

void ac_json_free(struct ac_json *json)
{
    cJSON_Delete(json->root);
    json->root = NULL;
}

const cJSON *ac_json_member(const cJSON *object, const char *name)
{
    const cJSON *found = NULL, *item = NULL;
    if (!cJSON_IsObject(object))
        return NULL;
    cJSON_ArrayForEach(item, object)
    {
        if (strcmp(item->string, name) != 0)
            continue;
        if (found)
            return NULL;
        found = item;
    }
    return found;
}

struct ac_str ac_json_string(const cJSON *object, const char *name)
{
    const cJSON *item = ac_json_member(object, name);
    return item && cJSON_IsString(item) ? ac_str_of(item->valuestring) : (struct ac_str){0};
}
