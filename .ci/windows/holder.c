/* Holds a file open, without sharing it, until standard input has a line. */
#include <stdio.h>
#include <windows.h>

int wmain(int count, wchar_t **arguments) {
    HANDLE file;
    if (count != 2) return 2;
    file = CreateFileW(arguments[1], GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE) return 1;
    puts("open");
    fflush(stdout);
    getchar();
    CloseHandle(file);
    return 0;
}
