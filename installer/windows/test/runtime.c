/* For tests only: in the place of Microsoft's offline installer of WebView2. It leaves the same mark in the
   registry, and only when it is called as that installer wants it. */
#include <string.h>
#include <windows.h>

int main(int count, char **words)
{
    const char *key = "Software\\Microsoft\\EdgeUpdate\\Clients\\{F3017226-FE2A-4295-8BDF-00C3A9A7E4C5}";
    const char *version = "120.0.2210.91";
    if (count != 3 || strcmp(words[1], "/silent") != 0 || strcmp(words[2], "/install") != 0)
        return 87;
    return (int)RegSetKeyValueA(HKEY_CURRENT_USER, key, "pv", REG_SZ, version, (DWORD)strlen(version) + 1);
}
