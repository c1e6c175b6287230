/* For tests only: somebody who is logged in and does nothing. wine is switched off, services and all, a few seconds
   after the last program of a person has ended. */
#include <windows.h>

int main(void)
{
    Sleep(INFINITE);
    return 0;
}
