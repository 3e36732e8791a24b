package org.example;

/** What a program needs from another jar. */
public class Extra {
    public static final String MARK = new String(" more");
}
